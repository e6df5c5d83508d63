/** tmp */
import type { Log } from '../../hub/core/ports.ts';
const nothing = (): void => undefined;
export const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silent };
