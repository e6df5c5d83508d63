/** Checks a feed message against its schema in openapi/hub.yaml, and says of every field at fault what is wrong. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ErrorObject } from 'ajv';
import type { Document } from '../../../openapi/document.ts';
import type { JsonObject, Kind } from '../../../mappings/rest/index.ts';
import type { Problem } from '../../core/problem.ts';
import { problem } from '../../core/problem.ts';
import type { FieldError } from './problem.ts';

const MAX_ERRORS = 50;

export interface Faults {
  readonly problem: Problem;
  readonly errors: readonly FieldError[];
}

export type Check = (kind: Kind, fields: JsonObject) => Faults | null;

/** Compiled once; `fields` are under the contract's own names. */
export function createCheck(document: Document, kinds: readonly Kind[]): Check {
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false, verbose: true });
  ajv.addSchema(document, 'hub');
  const validators = new Map(kinds.map((kind) => [kind, ajv.compile({ $ref: `hub#/components/schemas/${kind}` })]));
  return (kind, fields) => {
    const validate = validators.get(kind);
    if (validate === undefined) throw new Error(`no schema was compiled for ${kind}`);
    if (validate(fields)) return null;
    const errors = (validate.errors ?? []).flatMap(fieldError).slice(0, MAX_ERRORS);
    const missing = errors.some(({ code }) => code === 'required');
    return { problem: problem(missing ? 'required-missing' : 'invalid-value', errors[0]?.pointer.slice(2)), errors };
  };
}

const alternative = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'required' in value && Array.isArray(value.required)
    ? value.required.join(' + ')
    : '';

/** The branches of an `anyOf` are told once, as the choice that they are. */
function fieldError(error: ErrorObject): FieldError[] {
  if (/\/anyOf\/\d+\//.test(error.schemaPath)) return [];
  const pointer = `#${error.instancePath}`;
  if (error.keyword === 'required') {
    const { missingProperty } = error.params as { missingProperty: string };
    return [{ pointer: `${pointer}/${missingProperty}`, code: 'required', text: 'This field is required.' }];
  }
  if (error.keyword === 'anyOf') {
    const choices = Array.isArray(error.schema) ? error.schema.map(alternative) : [];
    const named = choices.filter((choice) => choice !== '').join(', ');
    return [
      {
        pointer,
        code: 'required',
        text: named === '' ? 'No alternative fits.' : `One of these is required: ${named}.`,
      },
    ];
  }
  // Ajv's messages speak of the schema (types, lengths, allowed values), never of the value that was sent.
  return [{ pointer, code: error.keyword, text: `This field ${error.message ?? 'is not valid'}.` }];
}
