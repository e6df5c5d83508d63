-- What each subscriber was last told of a person's numbers (ITI-10, ITI-46): a change is told once, and a person that lost
-- or gained a registration is told of even where its numbers are few.
create table link_told (
  subscriber text not null,
  person_id uuid not null,
  numbers text[] not null default '{}',
  -- How many notices went out.
  notices int not null default 0,
  told_at timestamptz,
  primary key (subscriber, person_id)
);
