/**
 * Subscriptions to new documents, and the notifications that wait for their consumers. A notification is written in the
 * transaction of its registration, so it exists exactly where the document does; delivery takes it from there.
 */
import { isSubscribed } from '../core/document-subscription.ts';
import type {
  Consumer,
  PendingNotification,
  Subscription,
  SubscriptionCriteria,
  SubscriptionStore,
  SubscriptionTopic,
} from '../core/document-subscription.ts';
import { documentsOf, submissionSetOf } from '../core/document-register.ts';
import type { EntryId, PatientCx, Submission } from '../core/document.ts';
import type { Connection, Database } from './database.ts';
import { entryId, patientKeys, uuidsOf } from './document-row.ts';
import { bulk } from './save.ts';

/** A subscription is worth what its subscriber's token is. */
const REVOKED = (s: string): string =>
  `exists (select from client c where c.id::text = ${s}.subscriber_id and c.revoked_at is not null)`;

const COLUMNS = 's.id, s.topic, s.patient_id, s.criteria, s.consumer, s.subscriber, s.origin, s.ends_at';

interface SubscriptionRow {
  readonly id: string;
  readonly topic: SubscriptionTopic;
  readonly patient_id: PatientCx | null;
  readonly criteria: SubscriptionCriteria;
  readonly consumer: string;
  readonly subscriber: Subscription['subscriber'];
  readonly origin: string;
  readonly ends_at: Date;
}

/** hub/security/seal.ts: a subscriber's address may open its door to whoever reads it. */
export interface Sealed {
  close(text: string): string;
  open(sealed: string): string;
}

/** Rows of before the seal hold the bare address. */
function consumerOf(opened: string): Consumer {
  return opened.startsWith('{') ? (JSON.parse(opened) as Consumer) : { address: opened, headers: '' };
}

const subscriptionOf = (row: SubscriptionRow, seal: Sealed): Subscription => ({
  id: row.id,
  topic: row.topic,
  patientId: row.patient_id,
  criteria: row.criteria,
  consumer: consumerOf(seal.open(row.consumer)),
  subscriber: row.subscriber,
  origin: row.origin,
  endsAt: row.ends_at,
});

/**
 * Who is told of these documents, written down in the registration's own transaction. It reads subscriptions and adds
 * rows: no lock that a delivery holds is waited for.
 */
export async function announceDocuments(connection: Connection, submission: Submission, now: Date): Promise<void> {
  const [entries, set] = [documentsOf(submission), submissionSetOf(submission)];
  if (set === undefined) return;
  // Under whichever of the ids of its person a subscription names the patient, and the submission does (decision 0017).
  const { rows } = await connection.query<Pick<SubscriptionRow, 'id' | 'topic' | 'criteria' | 'patient_id'>>({
    name: 'subscriptions-of-patients',
    text: `select s.id, s.topic, s.criteria, s.patient_id from document_subscription s
      where s.ends_at > $2 and (s.patient_id is null or s.patient_id = any (${patientKeys('$1')}))`,
    values: [[set.patientId], now],
  });
  const told = rows.flatMap(({ id, topic, criteria, patient_id: patient }) => {
    const fitting = (topic === 'submission-set' ? [set] : entries).filter(
      (one) => (patient === null || one.patientId === set.patientId) && isSubscribed(one, criteria),
    );
    return fitting.length === 0 ? [] : [{ subscription_id: id, entry_ids: uuidsOf(fitting.map((one) => one.id)) }];
  });
  await bulk(
    connection,
    'document-notify',
    `insert into document_notification (subscription_id, entry_ids, registered_at)
     select subscription_id, entry_ids, $2 from jsonb_to_recordset($1::jsonb) as r(subscription_id uuid, entry_ids uuid[])`,
    told,
    now,
  );
}

export function createSubscriptionStore(deps: {
  database: Database;
  clock: () => Date;
  seal: () => Promise<Sealed>;
}): SubscriptionStore {
  const { database, clock, seal } = deps;
  return {
    async add(subscription) {
      const { id, topic, patientId, criteria, subscriber, origin, endsAt } = subscription;
      const consumer = (await seal()).close(JSON.stringify(subscription.consumer));
      await database.pool.query(
        `insert into document_subscription
           (id, topic, patient_id, criteria, consumer, subscriber_id, subscriber, origin, ends_at, created_at, next_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`,
        [id, topic, patientId, criteria, consumer, subscriber.id, subscriber, origin, endsAt, clock()],
      );
    },
    async count(subscriberId) {
      const { rows } = await database.pool.query<{ count: number }>(
        'select count(*)::int as count from document_subscription where subscriber_id = $1 and ends_at > $2',
        [subscriberId, clock()],
      );
      return rows[0]?.count ?? 0;
    },
    async find(id) {
      const { rows } = await database.pool.query<SubscriptionRow>(
        `select ${COLUMNS} from document_subscription s where s.id = $1 and s.ends_at > $2`,
        [id, clock()],
      );
      return rows[0] === undefined ? null : subscriptionOf(rows[0], await seal());
    },
    async renew(id, endsAt) {
      const { rowCount } = await database.pool.query(
        'update document_subscription set ends_at = $2 where id = $1 and ends_at > $3',
        [id, endsAt, clock()],
      );
      return rowCount === 1;
    },
    end: (id) =>
      database.transaction(async (connection) => {
        const { rowCount } = await connection.query(
          'delete from document_subscription where id = $1 and ends_at > $2',
          [id, clock()],
        );
        await connection.query('delete from document_notification where subscription_id = $1', [id]);
        return rowCount === 1;
      }),
    take: async (until) => {
      const opened = await seal();
      return database.transaction((connection) => take(connection, opened, clock(), until));
    },
    async settle({ id, subscription }, outcome) {
      await database.transaction(async (connection) => {
        const where = 'where subscription_id = $1 and id = $2';
        if (outcome.kind === 'again')
          await connection.query(`update document_notification set attempts = attempts + 1 ${where}`, [
            subscription.id,
            id,
          ]);
        else await connection.query(`delete from document_notification ${where}`, [subscription.id, id]);
        await connection.query('update document_subscription set next_at = $2 where id = $1', [
          subscription.id,
          outcome.kind === 'again' ? outcome.at : clock(),
        ]);
      });
    },
    prune: (oldest) => database.transaction((connection) => prune(connection, clock(), oldest)),
  };
}

async function take(connection: Connection, seal: Sealed, now: Date, until: Date): Promise<PendingNotification | null> {
  const { rows } = await connection.query<SubscriptionRow>({
    name: 'subscription-take',
    text: `update document_subscription s set next_at = $2 where s.id = (
        select f.id from document_subscription f where f.next_at <= $1 and f.ends_at > $1
          and exists (select from document_notification)
          and exists (select from document_notification n where n.subscription_id = f.id) and not ${REVOKED('f')}
        order by f.next_at limit 1 for update skip locked)
      returning ${COLUMNS}`,
    values: [now, until],
  });
  const [row] = rows;
  if (row === undefined) return null;
  const waiting = await connection.query<{ id: string; entry_ids: string[]; attempts: number }>(
    'select id, entry_ids, attempts from document_notification where subscription_id = $1 order by id limit 1',
    [row.id],
  );
  const [first] = waiting.rows;
  if (first === undefined) return null;
  const entryIds: EntryId[] = first.entry_ids.map(entryId);
  return { id: first.id, subscription: subscriptionOf(row, seal), entryIds, attempts: first.attempts };
}

/** What waits of a subscription that ended goes with it, and what a registration wrote while it was being ended. */
async function prune(
  connection: Connection,
  now: Date,
  oldest: Date,
): Promise<{ subscriptions: number; notifications: number }> {
  const ended = await connection.query(`delete from document_subscription s where s.ends_at <= $1 or ${REVOKED('s')}`, [
    now,
  ]);
  const gone = await connection.query(
    `delete from document_notification n where n.registered_at <= $1
       or not exists (select from document_subscription s where s.id = n.subscription_id)`,
    [oldest],
  );
  return { subscriptions: ended.rowCount ?? 0, notifications: gone.rowCount ?? 0 };
}
