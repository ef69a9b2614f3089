import type { Kernel } from '@jupyterlab/services';
import type { IRenderMime } from '@jupyterlab/rendermime';
import React from 'react';
import type { RunCard } from '../api/types';
import type { ISurroundings } from '../parts/surroundings';
import { SurroundedWidget } from '../parts/surroundings';
import { cardIn, MIME_TYPE } from './record';
import { RunCardView } from './run-card';

/** Draws the card in a cell's output. */
export class RunCardRenderer extends SurroundedWidget implements IRenderMime.IRenderer {
  constructor(
    surroundings: ISurroundings,
    private readonly kernelAround: (node: HTMLElement) => Kernel.IKernelConnection | null
  ) {
    super(surroundings);
  }

  /** Called again with each change, so what is shown stays and only its figures move. */
  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._card = cardIn(model.data);
    this.update();
    return Promise.resolve();
  }

  protected override renderContent(): React.ReactElement {
    return this._card === undefined ? (
      <></>
    ) : (
      <RunCardView card={this._card} kernelOf={this._kernelOf} />
    );
  }

  private _kernelOf = (): Kernel.IKernelConnection | null => this.kernelAround(this.node);
  private _card: RunCard | undefined;
}

/** Before HTML (50) and before a widget view, of which a saved notebook has no model. */
const RANK = -20;

/** For the registry of renderers. The card holds no markup, so it is safe in a notebook that is not trusted too. */
export function cardFactory(
  surroundings: ISurroundings,
  kernelAround: (node: HTMLElement) => Kernel.IKernelConnection | null
): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [MIME_TYPE],
    defaultRank: RANK,
    createRenderer: () => new RunCardRenderer(surroundings, kernelAround)
  };
}
