-- Audit records go to a repository elsewhere as well (IHE ITI-20), and say more of a transaction for that.

-- What a transaction was about, as hub/core/audit.ts AuditDetail; the query in it may hold identifiers of patients.
alter table audit add column detail jsonb;

-- Records that the repository has still to get, written with them; empty where none is configured. A row is a place in
-- the audit, so what waits while the repository is away costs little beside the records themselves.
create table audit_delivery (
  at timestamptz not null,
  id bigint not null,
  primary key (at, id)
);
