import { addIcon, caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import React, { useMemo } from 'react';
import { count } from '../format';
import type { IAnswer } from '../live/hooks';
import { Empty, Problem, ProgressLine, Skeleton } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { Row, ROW_HEIGHT } from './row';
import type { IRow } from './rows';
import { WindowedRows } from './windowed';

/** A section as the sidebar knows it; `rows` are already filtered. */
export interface ISection {
  id: string;
  title: string;
  answer: IAnswer<unknown>;
  rows: readonly IRow[];
  /** How many there are without the filter, when more than are loaded too. */
  total: number;
  empty: { text: string; code?: string };
  /** These rows are in sight: first inclusive, last exclusive. */
  onRange?: (first: number, last: number) => void;
  /** Changes when the rows answer another question, and are looked at from the top again. */
  question?: string;
  /** Something to add to it, as a button beside its heading. */
  add?: { label: string; command: string };
  /** Not shown at all while it has no rows. */
  isHiddenWhenEmpty?: boolean;
}

/** The key of a row, unique in the sidebar and the same after a refresh. */
export function rowKeyOf(section: ISection, row: IRow): string {
  return `${section.id} ${row.kind === 'dataset' || row.kind === 'model' ? row.title : row.ref}${
    row.kind === 'alert' ? ` ${row.note} ${row.at}` : ''
  }`;
}

interface ISectionProps {
  section: ISection;
  isFiltered: boolean;
  isOpen: boolean;
  activeKey: string | null;
  onToggle: (id: string) => void;
  onOpen: (row: IRow) => void;
  onActivate: (rowKey: string) => void;
  /** Above the rows. */
  tools?: React.ReactNode;
}

export function Section(props: ISectionProps): React.ReactElement {
  const { section, isOpen } = props;
  const { trans, commands } = useSurroundings();
  const { rows, total, answer, add } = section;
  const counted =
    answer.data === undefined
      ? ''
      : props.isFiltered
        ? trans.__('%1 of %2', count(rows.length), count(total))
        : count(total);
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  const bodyId = `jp-snapml-section-${section.id}`;
  return (
    <section
      className="jp-snapml-section"
      role="region"
      aria-label={section.title}
      data-section={section.id}
    >
      <div className="jp-snapml-section-heading">
        <h3>
          <button
            type="button"
            className="jp-snapml-section-toggle"
            aria-expanded={isOpen}
            aria-controls={bodyId}
            onClick={() => props.onToggle(section.id)}
          >
            <Caret.react tag="span" width="16px" height="16px" />
            <span>{section.title}</span>
            <span className="jp-snapml-count" aria-live="polite">
              {counted}
            </span>
          </button>
        </h3>
        {add && (
          <button
            type="button"
            className="jp-snapml-icon-button"
            title={add.label}
            aria-label={add.label}
            onClick={() => void commands.execute(add.command)}
          >
            <addIcon.react tag="span" width="14px" height="14px" />
          </button>
        )}
      </div>
      <ProgressLine isActive={answer.isLoading && answer.data !== undefined} />
      <div id={bodyId} hidden={!isOpen}>
        {isOpen && <SectionBody {...props} />}
      </div>
    </section>
  );
}

function SectionBody(props: ISectionProps): React.ReactElement {
  const { section, activeKey, onOpen, onActivate } = props;
  const { trans } = useSurroundings();
  const { rows, answer } = section;
  const keys = useMemo(() => rows.map(row => rowKeyOf(section, row)), [section, rows]);
  const stable = useStableKeys(keys);
  return (
    <>
      {answer.error !== undefined && <Problem error={answer.error} onRetry={answer.retry} />}
      {answer.data === undefined && answer.error === undefined && <Skeleton />}
      {section.total > 0 && props.tools}
      {answer.data !== undefined && rows.length === 0 && !props.isFiltered && (
        <Empty {...section.empty} />
      )}
      {answer.data !== undefined && rows.length === 0 && props.isFiltered && (
        <div className="jp-snapml-empty">{trans.__('Nothing here matches the filter.')}</div>
      )}
      {rows.length > 0 && (
        <WindowedRows
          label={section.title}
          keys={stable}
          rowHeight={ROW_HEIGHT}
          activeKey={activeKey}
          onRange={section.onRange}
          question={section.question}
          render={index => (
            <Row
              row={rows[index]}
              index={index}
              n={rows.length}
              rowKey={stable[index]}
              isActive={stable[index] === activeKey}
              onOpen={onOpen}
              onActivate={onActivate}
            />
          )}
        />
      )}
    </>
  );
}

/** The same array while the keys in it are the same. */
function useStableKeys(keys: readonly string[]): readonly string[] {
  const joined = keys.join('\n');
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the joined text says all that the array does
  return useMemo(() => keys, [joined]);
}
