import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { SnapMLClient } from '../api/client';
import { Changes } from '../live/changes';
import { QueryPool } from '../live/pool';
import { ISnapML, SETTINGS_ID } from '../tokens';

export const apiPlugin: JupyterFrontEndPlugin<ISnapML> = {
  id: SETTINGS_ID,
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
      ?.load(SETTINGS_ID)
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
