import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { useOperation } from '../live/hooks';
import { Status } from '../parts/status';
import { SurroundedWidget, useSurroundings } from '../parts/surroundings';
import { hostStatus } from '../sidebar/header';
import { CommandIDs, ISnapML, SETTINGS_ID } from '../tokens';
import { surround } from './surround';

const ITEM_ID = 'snapml-jupyter:status-bar';

export const statusBarPlugin: JupyterFrontEndPlugin<void> = {
  id: ITEM_ID,
  description: 'The state of the host and the open alerts in the status bar.',
  autoStart: true,
  requires: [ISnapML],
  optional: [IStatusBar, ITranslator, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    snapml: ISnapML,
    statusBar: IStatusBar | null,
    translator: ITranslator | null,
    settingRegistry: ISettingRegistry | null
  ): void => {
    if (statusBar === null) {
      return;
    }
    const surroundings = surround(app, snapml, translator ?? nullTranslator);
    const show = () => {
      const item = new StatusItem(surroundings);
      return statusBar.registerStatusItem(ITEM_ID, { item, align: 'left', rank: 90 });
    };
    // Nothing is asked before Lab stands.
    void app.restored.then(async () => {
      const settings = await settingRegistry?.load(SETTINGS_ID).catch(() => undefined);
      let shown = settings?.get('statusBar').composite === false ? null : show();
      settings?.changed.connect(() => {
        const isWanted = settings.get('statusBar').composite !== false;
        if (isWanted && shown === null) {
          shown = show();
        } else if (!isWanted) {
          shown?.dispose();
          shown = null;
        }
      });
    });
  }
};

class StatusItem extends SurroundedWidget {
  protected override renderContent(): React.ReactElement {
    return <StatusText />;
  }
}

/** The host's state, and alerts when there are open ones. Opens the panel. */
export function StatusText(): React.ReactElement {
  const { trans, commands } = useSurroundings();
  const host = useOperation('serving.get_host_status', {});
  const alerts = useOperation('monitoring.list_alerts', { state: 'open' });
  const nAlerts = alerts.data?.length ?? 0;
  return (
    <button
      type="button"
      className="jp-snapml-statusbar"
      title={trans.__('Show SnapML')}
      onClick={() => void commands.execute(CommandIDs.showPanel)}
    >
      <span>{trans.__('SnapML')}</span>
      {host.data && host.error === undefined ? (
        <Status {...hostStatus(host.data, trans)} showWord />
      ) : host.error !== undefined ? (
        <Status condition="bad" word={trans.__('not reachable')} showWord />
      ) : null}
      {nAlerts > 0 && (
        <Status condition="alert" word={trans._n('%1 alert', '%1 alerts', nAlerts)} showWord />
      )}
    </button>
  );
}
