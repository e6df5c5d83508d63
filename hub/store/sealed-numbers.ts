/**
 * ID numbers on their way to and from rows: every text that a statement sends is closed and every text that it reads is
 * opened, whatever the column. Here and not at each column, since a number may come in any field of a message.
 */
import pg from 'pg';
import type { NumberSeal } from '../core/sealing.ts';

type TypeId = Parameters<typeof pg.types.getTypeParser>[0];
type Query = (...args: unknown[]) => unknown;

/** For a connection that was just opened. What is sent as bytes is sent as it is. */
export function closeNumbersSent(client: pg.PoolClient, numbers: NumberSeal): void {
  const query = client.query.bind(client) as Query;
  const closing: Query = (statement, values, ...rest) =>
    query(closedStatement(numbers, statement), closed(numbers, values), ...rest);
  client.query = closing as typeof client.query;
}

function closedStatement(numbers: NumberSeal, statement: unknown): unknown {
  if (typeof statement !== 'object' || statement === null || !('values' in statement) || 'submit' in statement)
    return statement;
  return { ...statement, values: closed(numbers, statement.values) };
}

function closed(numbers: NumberSeal, value: unknown): unknown {
  if (typeof value === 'string') return numbers.close(value);
  if (Array.isArray(value)) return value.map((one: unknown) => closed(numbers, one));
  // As pg itself writes it, for a JSON column.
  const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? numbers.close(JSON.stringify(value)) : value;
}

/** How what is read is understood: opened first, so that JSON and arrays hold the numbers themselves. */
export const openingTypes = (numbers: NumberSeal): pg.CustomTypesConfig => ({
  getTypeParser: ((oid: TypeId, format?: 'text' | 'binary') => {
    const parse = pg.types.getTypeParser(oid, format ?? 'text') as (raw: unknown) => unknown;
    return oid === pg.types.builtins.BYTEA || format === 'binary'
      ? parse
      : (raw: string): unknown => parse(numbers.open(raw));
  }) as pg.CustomTypesConfig['getTypeParser'],
});
