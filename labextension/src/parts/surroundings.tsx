import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import React, { createContext, useContext, useEffect, useState } from 'react';
import type { ISnapML } from '../tokens';

/** What every component may need and no caller should have to pass on. */
export interface ISurroundings {
  readonly snapml: ISnapML;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
  /** Emits when colours changed, for charts drawn on a canvas. */
  readonly themeChanged?: ISignal<unknown, unknown>;
  /** Writes highlighted code into an element. */
  readonly highlight?: (code: string, language: string, node: HTMLElement) => Promise<void>;
}

const Surroundings = createContext<ISurroundings | null>(null);
const Visible = createContext(true);
const Retitle = createContext<(title: string) => void>(() => undefined);

/** Gives the components below it their surroundings. */
export const SurroundingsProvider = Surroundings.Provider;

export function useSurroundings(): ISurroundings {
  const found = useContext(Surroundings);
  if (found === null) {
    throw new Error('A SnapML component is used outside a SurroundingsProvider.');
  }
  return found;
}

/** Whether the widget that holds the component is shown; nothing is fetched while it is not. */
export function useVisible(): boolean {
  return useContext(Visible);
}

/** Names the widget that holds the component. */
export function useRetitle(): (title: string) => void {
  return useContext(Retitle);
}

/** A Lab widget of React components that knows its surroundings and whether it is shown. */
export abstract class SurroundedWidget extends ReactWidget {
  constructor(protected readonly surroundings: ISurroundings) {
    super();
  }

  protected abstract renderContent(): React.ReactElement;

  /** What the content found its title to be; for widgets that show one. */
  protected retitle = (title: string): void => {
    this.title.caption = title;
  };

  protected override render(): React.ReactElement {
    return (
      <SurroundingsProvider value={this.surroundings}>
        <Retitle.Provider value={this.retitle}>
          <WhileVisible widget={this}>{this.renderContent()}</WhileVisible>
        </Retitle.Provider>
      </SurroundingsProvider>
    );
  }

  get visibilityChanged(): ISignal<this, boolean> {
    return this._visibilityChanged;
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._visibilityChanged.emit(true);
  }

  protected override onBeforeHide(msg: Message): void {
    super.onBeforeHide(msg);
    this._visibilityChanged.emit(false);
  }

  private _visibilityChanged = new Signal<this, boolean>(this);
}

function WhileVisible(props: { widget: SurroundedWidget; children: React.ReactNode }) {
  const { widget } = props;
  const [isVisible, setVisible] = useState(widget.isVisible);
  useEffect(() => {
    const onChange = (_: unknown, now: boolean) => setVisible(now);
    widget.visibilityChanged.connect(onChange);
    setVisible(widget.isVisible);
    return () => {
      widget.visibilityChanged.disconnect(onChange);
    };
  }, [widget]);
  return <Visible.Provider value={isVisible}>{props.children}</Visible.Provider>;
}
