/** The little of dcmjs that the dictionary generator reads. */
declare module 'dcmjs' {
  export const data: { DicomMetaDictionary: { nameMap: unknown } };
}
