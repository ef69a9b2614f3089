import { Token } from '@lumino/coreutils';
import type { SnapMLClient } from './api/client';
import type { QueryPool } from './live/pool';

/** The workspace behind this Jupyter server: calls, and questions that stay answered as it changes. */
export interface ISnapML {
  readonly client: SnapMLClient;
  readonly queries: QueryPool;
}

export const ISnapML = new Token<ISnapML>(
  'snapml-jupyter:ISnapML',
  'Calls the SnapML server part and follows the changes in its workspace.'
);

/** What has a row in the sidebar and a page in the main area. */
export type Kind = 'run' | 'dataset' | 'model' | 'endpoint' | 'monitor' | 'alert';

/** The kinds with a page. */
export const PAGE_KINDS: readonly Kind[] = ['run', 'dataset', 'model', 'endpoint', 'monitor'];

/** Commands of the extension. Those about one thing take `{kind, ref}`, or the row under the context menu. */
export namespace CommandIDs {
  export const open = 'snapml:open';
  export const copyReference = 'snapml:copy-reference';
  export const insertCell = 'snapml:insert-cell';
  export const deploy = 'snapml:deploy';
  export const showPanel = 'snapml:show-panel';
  export const refresh = 'snapml:refresh';
  export const startHost = 'snapml:start-host';
  export const stopHost = 'snapml:stop-host';
}
