-- Subscriptions to new documents (DSUB, IHE ITI-52), and what they have still to be told (ITI-53).

-- Few beside the documents: on several machines a reference table.
create table document_subscription (
  id uuid primary key,
  topic text not null check (topic in ('full', 'minimal')),
  -- CX as it was subscribed to; null: documents of any patient
  patient_id text,
  -- hub/core/document-subscription.ts
  criteria jsonb not null,
  consumer text not null,
  subscriber_id text not null,
  subscriber jsonb not null,
  origin text not null,
  created_at timestamptz not null,
  ends_at timestamptz not null,
  -- in a worker's hands, or the consumer is away, until then
  next_at timestamptz not null
);
create index document_subscription_by_patient on document_subscription (patient_id);
create index document_subscription_by_subscriber on document_subscription (subscriber_id);
create index document_subscription_by_end on document_subscription (ends_at);

-- Written with the registration, one row a subscription that it concerns; gone when it was delivered or given up.
create table document_notification (
  subscription_id uuid not null,
  id bigint generated always as identity,
  entry_ids uuid[] not null,
  attempts int not null default 0,
  registered_at timestamptz not null,
  primary key (subscription_id, id)
);
create index document_notification_by_age on document_notification (registered_at);
