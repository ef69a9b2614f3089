import React from 'react';
import type { RunCard } from '../api/types';
import { Status, statusOf } from '../parts/status';
import { SurroundedWidget, useSurroundings } from '../parts/surroundings';
import { CommandIDs } from '../tokens';
import { useCurrentCard } from './current';

/** Says on a notebook's cell which run its outputs come from; hidden while they come from none. */
export class BadgeWidget extends SurroundedWidget {
  set card(card: RunCard | undefined) {
    this._card = card;
    this.setHidden(card === undefined);
    this.update();
  }

  protected override renderContent(): React.ReactElement {
    return this._card === undefined ? <></> : <Badge card={this._card} />;
  }

  private _card: RunCard | undefined;
}

export function Badge(props: { card: RunCard }): React.ReactElement {
  const { trans, commands } = useSurroundings();
  const card = useCurrentCard(props.card);
  const status = statusOf(card.status, trans);
  return (
    <button
      type="button"
      className="jp-snapml-badge"
      aria-label={trans.__('Run %1, %2, %3: open its page', card.name, status.word, card.run_id)}
      title={trans.__('The run that these outputs come from')}
      data-lm-suppress-shortcuts
      onClick={() =>
        void commands.execute(CommandIDs.open, { kind: 'run', ref: card.run_id, title: card.name })
      }
    >
      <Status {...status} showWord />
      <span className="jp-snapml-badge-name">{card.name}</span>
      <span className="jp-snapml-quiet">{card.run_id}</span>
    </button>
  );
}
