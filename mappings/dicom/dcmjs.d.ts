/** The little of dcmjs that the dictionary generator reads. */
declare module 'dcmjs' {
  const dcmjs: { data: { DicomMetaDictionary: { nameMap: unknown } } };
  export default dcmjs;
}
