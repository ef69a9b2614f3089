/** SnapML in JupyterLab: one plugin for each concern, each of which can be switched off on its own. */

import { actionsPlugin, launcherPlugin } from './plugins/actions';
import { alertsPlugin } from './plugins/alerts';
import { apiPlugin } from './plugins/api';
import { cardsPlugin } from './plugins/cards';
import { comparePlugin } from './plugins/compare';
import { notebookPlugin } from './plugins/notebook';
import { pagesPlugin } from './plugins/pages';
import { panelPlugin } from './plugins/panel';
import { statusBarPlugin } from './plugins/status-bar';

export { ISnapML } from './tokens';

export default [
  apiPlugin,
  panelPlugin,
  pagesPlugin,
  comparePlugin,
  notebookPlugin,
  cardsPlugin,
  actionsPlugin,
  launcherPlugin,
  statusBarPlugin,
  alertsPlugin
];
