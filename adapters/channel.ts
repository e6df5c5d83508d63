/** A channel connects one protocol to the hub: it listens or sends, and says how it is. Adapters know only this and core. */
export interface Channel {
  readonly name: string;
  start(): Promise<void>;
  /** Stops taking new work, lets accepted messages finish (at most `drainMs`), then closes. */
  stop(drainMs: number): Promise<void>;
  health(): ChannelHealth;
  /** Where it listens, once started. */
  address(): { readonly port: number };
}

export interface ChannelHealth {
  readonly listening: boolean;
  readonly connections: number;
  readonly received: number;
  readonly refused: number;
}
