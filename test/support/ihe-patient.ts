/** The patient whom samples of PIX and PDQ ask for, whatever wire they are of, and the domains that they name. */
import { derive, patientView, personView } from './fhir.ts';

const HIMSS = '1.3.6.1.4.1.21367.2005.1.1';
export const CONNECTATHON = '1.3.6.1.4.1.21367.2005.1.2';
export const SAMPLE_DOMAINS: readonly string[] = [
  HIMSS,
  CONNECTATHON,
  '1.3.6.1.4.1.21367.2017.2.5.93',
  '1.3.6.1.4.1.21367.2017.2.5.103',
  '2.16.756.5.30.1.127.3.10.3',
  '1.2.840.114350.1.13.99997.2.3412',
  '1.2.840.114350.1.13.99998.8734',
  '2.16.840.1.113883.4.1',
];

export const samplePatient = personView({
  personId: derive.id('person', 'heidi'),
  records: [
    patientView({
      recordId: derive.id('record', 'h1', 'HEIDI'),
      localId: 'HEIDI',
      names: [{ text: 'Heidi MARY', family: 'Heidi', given: 'MARY', representation: 'alphabetic' }],
      sex: 'female',
      birthDate: '1940-01-01',
      address: { text: '3443 North Arctic Avenue, Some City', postalCode: '60523' },
      phone: null,
      residentId: null,
      identifiers: [
        { authority: HIMSS, value: 'ABC10501', type: 'PI' },
        { authority: CONNECTATHON, value: 'C1', type: 'PI' },
      ],
    }),
  ],
});
