import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { SnapMLClient } from '../api/client';
import { Changes } from '../live/changes';
import { QueryPool } from '../live/pool';
import { ISnapML } from '../tokens';

/** Its id is the name of the settings schema. */
export const PLUGIN_ID = 'snapml-jupyter:plugin';

export const apiPlugin: JupyterFrontEndPlugin<ISnapML> = {
  id: PLUGIN_ID,
  description: 'Calls the SnapML server part and follows the changes in its workspace.',
  autoStart: true,
  provides: ISnapML,
  optional: [ISettingRegistry],
  activate: (app: JupyterFrontEnd, settingRegistry: ISettingRegistry | null): ISnapML => {
    const { serviceManager } = app;
    const client = new SnapMLClient(serviceManager.serverSettings);
    const queries = new QueryPool(client);
    const changes = new Changes(queries, serviceManager.events.stream);
    settingRegistry
      ?.load(PLUGIN_ID)
      .then(settings => {
        const apply = () => {
          changes.everySeconds = settings.get('pollSeconds').composite as number;
        };
        apply();
        settings.changed.connect(apply);
      })
      .catch(reason => {
        console.error('The settings of snapml-jupyter could not be read.', reason);
      });
    return { client, queries };
  }
};
