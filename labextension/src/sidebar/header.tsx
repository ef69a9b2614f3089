import { refreshIcon } from '@jupyterlab/ui-components';
import React from 'react';
import type { ISession } from '../api/client';
import type { HostStatus } from '../api/types';
import type { IAnswer } from '../live/hooks';
import { useOperation } from '../live/hooks';
import type { IStatus } from '../parts/status';
import { Status } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { CommandIDs } from '../tokens';
import type { TranslationBundle } from '@jupyterlab/translation';

/** The last parts of a folder's path, which tell it apart; a URL's host. */
export function shortLocation(location: string): string {
  if (/^https?:\/\//.test(location)) {
    return new URL(location).host;
  }
  const parts = location.split(/[\\/]/).filter(Boolean);
  const named = parts[parts.length - 1] === '.snapml' ? parts.slice(0, -1) : parts;
  return named[named.length - 1] ?? location;
}

/** How the host is doing. */
export function hostStatus(host: HostStatus, trans: TranslationBundle): IStatus {
  if (host.problem !== null) {
    return { condition: 'alert', word: trans.__('host: %1', host.problem) };
  }
  return host.running
    ? { condition: 'good', word: trans.__('host running') }
    : { condition: 'stopped', word: trans.__('host stopped') };
}

/** Which workspace, how its host is, and a way to ask for everything again. */
export function Header(props: { session: IAnswer<ISession> }): React.ReactElement {
  const { trans, commands } = useSurroundings();
  const { data } = props.session;
  return (
    <header className="jp-snapml-header">
      <div className="jp-snapml-header-line">
        <h2>{trans.__('SnapML')}</h2>
        {data && <Host />}
        <button
          type="button"
          className="jp-snapml-icon-button"
          title={trans.__('Refresh')}
          aria-label={trans.__('Refresh')}
          onClick={() => void commands.execute(CommandIDs.refresh)}
        >
          <refreshIcon.react tag="span" width="16px" height="16px" />
        </button>
      </div>
      {data && (
        <div className="jp-snapml-header-workspace" title={data.workspace}>
          {trans.__('workspace: %1', shortLocation(data.workspace))} · {data.actor}
        </div>
      )}
    </header>
  );
}

function Host(): React.ReactElement | null {
  const { trans } = useSurroundings();
  const { data } = useOperation('serving.get_host_status', {});
  return data ? <Status {...hostStatus(data, trans)} showWord /> : null;
}
