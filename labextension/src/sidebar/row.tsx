import { undoIcon } from '@jupyterlab/ui-components';
import React from 'react';
import { useSurroundings } from '../parts/surroundings';
import { Status } from '../parts/status';
import { Age } from '../parts/times';
import { Verdict } from '../parts/verdict';
import type { IRow } from './rows';

/** Height of every row; the list places rows by it. The style sheet has the same number. */
export const ROW_HEIGHT = 44;

export interface IRowPlace {
  index: number;
  n: number;
  rowKey: string;
  isActive: boolean;
  onOpen: (row: IRow) => void;
  onActivate: (rowKey: string) => void;
}

/** One row, placed by its index. The commands of the context menu read its kind and reference from it. */
export const Row = React.memo(function Row(props: IRowPlace & { row: IRow }): React.ReactElement {
  const { row, rowKey } = props;
  return (
    <div
      className={row.isWaiting ? 'jp-snapml-row jp-mod-waiting' : 'jp-snapml-row'}
      role="option"
      aria-selected={props.isActive}
      aria-posinset={props.index + 1}
      aria-setsize={props.n}
      tabIndex={props.isActive ? 0 : -1}
      aria-busy={row.isWaiting}
      data-kind={row.isWaiting ? undefined : row.kind}
      data-ref={row.isWaiting ? undefined : row.ref}
      data-key={rowKey}
      style={{ top: props.index * ROW_HEIGHT }}
      onClick={() => {
        props.onActivate(rowKey);
        props.onOpen(row);
      }}
      onContextMenu={() => props.onActivate(rowKey)}
      onFocus={() => props.onActivate(rowKey)}
      onKeyDown={event => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          props.onOpen(row);
        }
      }}
    >
      <div className="jp-snapml-row-line">
        {row.status && <Status {...row.status} />}
        <span className="jp-snapml-row-title" title={row.title}>
          {row.title}
        </span>
        {row.note && <span className="jp-snapml-row-note">{row.note}</span>}
        {row.figure?.name && (
          <span className="jp-snapml-row-measure">
            <span>{row.figure.name}</span>
          </span>
        )}
        {row.figure && (
          <span
            className="jp-snapml-row-figure"
            title={`${row.figure.name ?? ''} ${row.figure.value}`.trim()}
          >
            {row.figure.value}
          </span>
        )}
        {row.at && <Age at={row.at} />}
      </div>
      <div className="jp-snapml-row-below">
        {row.progress && <Progress {...row.progress} />}
        <div className="jp-snapml-row-detail" title={row.detail}>
          {row.detail}
        </div>
        {row.verdict && <Verdict name={row.verdict} showWord />}
        {row.action && <ActionButton row={row} action={row.action} />}
      </div>
    </div>
  );
});

/** Steps as boxes; the second line says the same in words. */
function Progress(props: { done: number; of: number }): React.ReactElement {
  return (
    <span className="jp-snapml-row-progress" aria-hidden="true">
      {Array.from({ length: props.of }, (_, step) => (
        <span key={step} data-done={step < props.done || undefined} />
      ))}
    </span>
  );
}

/** For the mouse; an option holds no button for a screen reader, so its menu (Shift+F10) has the same. */
function ActionButton(props: {
  row: IRow;
  action: NonNullable<IRow['action']>;
}): React.ReactElement {
  const { row, action } = props;
  const { commands } = useSurroundings();
  return (
    <button
      type="button"
      className="jp-snapml-icon-button jp-snapml-row-action"
      tabIndex={-1}
      title={action.label}
      aria-label={action.label}
      onClick={event => {
        event.stopPropagation();
        void commands.execute(action.command, { kind: row.kind, ref: row.ref });
      }}
    >
      <undoIcon.react tag="span" width="14px" height="14px" />
    </button>
  );
}
