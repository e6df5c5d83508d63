/** The little of the WASM codecs' API (embind classes) that the hub uses; the packages carry no types. */
declare namespace CornerstoneCodec {
  interface FrameInfo {
    width: number;
    height: number;
    bitsPerSample: number;
    componentCount: number;
    isSigned: boolean;
    isUsingColorTransform?: boolean;
  }
  interface Decoder {
    getEncodedBuffer(length: number): Uint8Array;
    getDecodedBuffer(): Uint8Array;
    decode(): void;
    getFrameInfo(): FrameInfo;
    getInterleaveMode?(): number;
    getIsReversible?(): boolean;
    delete(): void;
  }
  interface Encoder {
    getDecodedBuffer(info: FrameInfo): Uint8Array;
    getEncodedBuffer(): Uint8Array;
    encode(): void;
    setNearLossless?(near: number): void;
    setInterleaveMode?(mode: number): void;
    setQuality?(reversible: boolean, quantisation: number): void;
    delete(): void;
  }
  interface Module {
    JpegLSDecoder: new () => Decoder;
    JpegLSEncoder: new () => Encoder;
    J2KDecoder: new () => Decoder;
    HTJ2KDecoder: new () => Decoder;
    HTJ2KEncoder: new () => Encoder;
  }
  type Factory = (options?: { print?: (text: string) => void; printErr?: (text: string) => void }) => Promise<Module>;
}

declare module '@cornerstonejs/codec-charls/wasmjs' {
  const factory: CornerstoneCodec.Factory;
  export = factory;
}
declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  const factory: CornerstoneCodec.Factory;
  export = factory;
}
declare module '@cornerstonejs/codec-openjph/wasmjs' {
  const factory: CornerstoneCodec.Factory;
  export = factory;
}
