import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { Event } from '@jupyterlab/services';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { EVENT_SCHEMA } from '../live/changes';
import { CommandIDs, ISnapML, SETTINGS_ID } from '../tokens';
import { DOMAIN } from './surround';

export const alertsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'snapml-jupyter:alerts',
  description: 'Tells of an alert when it is raised.',
  autoStart: true,
  requires: [ISnapML],
  optional: [ITranslator, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    snapml: ISnapML,
    translator: ITranslator | null,
    settingRegistry: ISettingRegistry | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const told = new Set<string>();

    const tell = async (subject: string) => {
      const settings = await settingRegistry?.load(SETTINGS_ID).catch(() => undefined);
      if (settings?.get('notifyAlerts').composite === false) {
        return;
      }
      const alerts = await snapml.client.call('monitoring.list_alerts', { state: 'open' });
      for (const alert of alerts) {
        const isMeant = alert.alert_id === subject || alert.endpoint === subject;
        if (isMeant && !told.has(alert.alert_id)) {
          told.add(alert.alert_id);
          Notification.warning(alert.message, {
            autoClose: false,
            actions: [
              {
                label: trans.__('Open monitor'),
                callback: () =>
                  void app.commands.execute(CommandIDs.open, {
                    kind: 'monitor',
                    ref: alert.endpoint
                  })
              }
            ]
          });
        }
      }
    };

    const onEvent = (_: unknown, event: Event.Emission) => {
      if (event.schema_id === EVENT_SCHEMA && event.kind === 'alert.raised') {
        // When it cannot be read now, the sidebar still shows it.
        tell(String(event.subject)).catch(reason => console.warn(reason));
      }
    };
    app.serviceManager.events.stream.connect(onEvent);
  }
};
