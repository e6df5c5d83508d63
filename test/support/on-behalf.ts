/** A user whose assertion was issued for one patient, told by the header `x-patient` (CX), for faces without XUA before them. */
import type { Request } from 'express';
import type { Caller } from '../../hub/core/access.ts';

export function onBehalfOf(request: Request): Pick<Caller, 'onBehalfOf'> {
  const patient = request.get('x-patient');
  if (patient === undefined) return {};
  const user = { issuer: 'i', userId: 'u', roles: [], purposes: [], role: 'query-platform', policies: [] } as const;
  return { onBehalfOf: { ...user, patientIds: [patient] } };
}
