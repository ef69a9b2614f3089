import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { PanelLayout } from '@lumino/widgets';
import type { RunCard } from '../api/types';
import type { ISurroundings } from '../parts/surroundings';
import { BadgeWidget } from './badge';
import { cardIn } from './record';

const CELL_CLASS = 'jp-snapml-badge-row';

/**
 * Keep a badge on every cell of a notebook whose outputs hold the card of a run.
 *
 * The card in the outputs is what ties the cell to its run: it is saved with the notebook, goes along when a cell or a
 * notebook is copied or renamed, changes when the cell runs again, and is gone when the outputs are.
 */
export function keepBadges(panel: NotebookPanel, surroundings: ISurroundings): void {
  const known = new WeakSet<Cell>();
  const look = () => {
    for (const cell of panel.content.widgets) {
      if (!known.has(cell) && cell.model.type === 'code') {
        known.add(cell);
        keepBadge(cell, surroundings);
      }
    }
  };
  const follow = () => {
    panel.content.model?.cells.changed.connect(look);
    look();
  };
  panel.content.modelChanged.connect(follow);
  follow();
}

function keepBadge(cell: Cell, surroundings: ISurroundings): void {
  const { outputs } = cell.model as ICodeCellModel;
  let badge: BadgeWidget | undefined;
  const look = () => {
    const card = lastCard(outputs);
    if (card !== undefined && badge === undefined) {
      badge = new BadgeWidget(surroundings);
      badge.addClass(CELL_CLASS);
      // A child of the cell: it is attached, detached and disposed of with it.
      (cell.layout as PanelLayout).insertWidget(0, badge);
    }
    if (badge !== undefined) {
      badge.card = card;
    }
  };
  outputs.changed.connect(look);
  cell.disposed.connect(() => outputs.changed.disconnect(look));
  look();
}

function lastCard(outputs: ICodeCellModel['outputs']): RunCard | undefined {
  for (let i = outputs.length - 1; i >= 0; i--) {
    const card = cardIn(outputs.get(i).data);
    if (card !== undefined) {
      return card;
    }
  }
  return undefined;
}
