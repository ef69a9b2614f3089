import React from 'react';
import { snapmlIcon } from '../icons';
import type { ISurroundings } from '../parts/surroundings';
import { SurroundedWidget } from '../parts/surroundings';
import type { ISidebarMemory } from './sidebar';
import { Sidebar } from './sidebar';

export const SIDEBAR_ID = 'snapml-sidebar';

/** The panel in JupyterLab's left area. */
export class SidebarWidget extends SurroundedWidget {
  constructor(
    surroundings: ISurroundings,
    private readonly memory: ISidebarMemory
  ) {
    super(surroundings);
    this.id = SIDEBAR_ID;
    this.addClass('jp-snapml-panel');
    this.title.icon = snapmlIcon;
    this.title.caption = surroundings.trans.__('SnapML: runs, data, models, endpoints, monitors');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', surroundings.trans.__('SnapML'));
  }

  protected override renderContent(): React.ReactElement {
    return <Sidebar {...this.memory} />;
  }
}
