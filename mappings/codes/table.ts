/** The tables by which a site translates its codes, and the system of the province that each leads to. */
import type { TargetTable } from '../../hub/core/code-mapping.ts';
import { ICD10 } from './diagnosis.ts';

/** The tables a site may fill: the system of the provincial code, and the codes allowed where the set is closed. */
export const TABLES: Readonly<Record<string, TargetTable>> = {
  // The four that mappings turn into enumerations of the records have the hub's own words as targets.
  sex: { system: 'urn:oid:2.999.156.4.10', codes: /^(male|female|other|unknown)$/ },
  'result-status': { system: 'urn:oid:2.999.156.4.11', codes: /^(preliminary|final|corrected|withdrawn)$/ },
  'order-status': {
    system: 'urn:oid:2.999.156.4.12',
    codes: /^(ordered|scheduled|arrived|in-progress|completed|discontinued|cancelled)$/,
  },
  priority: { system: 'urn:oid:2.999.156.4.13', codes: /^(routine|urgent|stat)$/ },
  // GB/T 2261.2-2003, GB/T 3304-1991, GB/T 2659
  marital: { system: 'urn:oid:2.16.156.10011.2.3.3.5', codes: /^\d{2}$/ },
  ethnic: { system: 'urn:oid:2.16.156.10011.2.3.3.3', codes: /^\d{2}$/ },
  nationality: { system: 'urn:iso:std:iso:3166', codes: /^[A-Z]{2,3}$/ },
  // CV09.00.404 patient type
  'patient-class': { system: 'urn:oid:2.16.156.10011.2.3.1.271', codes: /^[1239]$/ },
  // DICOM PS3.3 C.7.3.1.1.1 defined terms
  modality: { system: 'http://dicom.nema.org/resources/ontology/DCM', codes: /^[A-Z0-9]{2,16}$/ },
  // The province's own: exam items, body parts (terms of PS3.16 Annex L), departments (诊疗科目名录)
  procedure: { system: 'urn:oid:2.999.156.4.1' },
  'body-part': { system: 'urn:oid:2.999.156.4.2', codes: /^[A-Z0-9_ ]{2,32}$/ },
  department: { system: 'urn:oid:2.999.156.4.3', codes: /^\d{2}(\.\d{2}){0,2}$/ },
  diagnosis: { system: ICD10 },
  conclusion: { system: 'urn:oid:2.999.156.4.4' },
};
