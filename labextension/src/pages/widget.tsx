import { MainAreaWidget } from '@jupyterlab/apputils';
import React from 'react';
import { snapmlIcon } from '../icons';
import type { ISurroundings } from '../parts/surroundings';
import { SurroundedWidget } from '../parts/surroundings';
import type { Kind } from '../tokens';
import { refsOf } from '../tokens';
import { ComparisonPage } from './comparison';
import { DatasetPage } from './dataset';
import { EndpointPage } from './endpoint';
import { ModelPage } from './model';
import { MonitorPage } from './monitor';
import { RunPage } from './run';

const PAGES: Partial<Record<Kind, React.ComponentType<{ reference: string }>>> = {
  run: RunPage,
  comparison: ComparisonPage,
  dataset: DatasetPage,
  model: ModelPage,
  endpoint: EndpointPage,
  monitor: MonitorPage
};

/** One thing's page. */
export class PageContent extends SurroundedWidget {
  constructor(
    surroundings: ISurroundings,
    readonly kind: Kind,
    readonly reference: string
  ) {
    super(surroundings);
    this.addClass('jp-snapml-page-content');
  }

  /** Runs are known by their names once they are read; the others by their reference from the start. */
  protected override retitle = (title: string): void => {
    if ((this.kind === 'run' || this.kind === 'comparison') && this.parent !== null) {
      this.parent.title.label = title;
    }
  };

  protected override renderContent(): React.ReactElement {
    const Shown = PAGES[this.kind]!;
    return <Shown reference={this.reference} />;
  }
}

export type PageWidget = MainAreaWidget<PageContent>;

/** The id of a page's widget, so that opening it again shows the one that is open. */
export function pageId(kind: Kind, reference: string): string {
  return `snapml-${kind}-${reference}`;
}

/** Whether there is a page for this kind. */
export function hasPage(kind: string): kind is Kind {
  return kind in PAGES;
}

/** The page in a main area widget, titled with the reference. */
export function createPage(surroundings: ISurroundings, kind: Kind, ref: string): PageWidget {
  const { trans } = surroundings;
  const widget = new MainAreaWidget({ content: new PageContent(surroundings, kind, ref) });
  widget.id = pageId(kind, ref);
  widget.title.label =
    kind === 'monitor'
      ? trans.__('Monitor %1', ref)
      : kind === 'endpoint'
        ? trans.__('Endpoint %1', ref)
        : kind === 'comparison'
          ? trans.__('Compare %1 runs', refsOf(ref).length)
          : ref;
  widget.title.caption = trans.__('SnapML %1 %2', kind, ref);
  widget.title.icon = snapmlIcon;
  widget.title.closable = true;
  return widget;
}
