import { FilterBox } from './filter';
import React, { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useSession } from '../live/hooks';
import { Problem, Skeleton } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { CommandIDs } from '../tokens';
import { Header } from './header';
import type { IRow } from './rows';
import type { IRunLook } from './run-order';
import { PLAIN_LOOK } from './run-order';
import { RunTools } from './run-tools';
import type { ISection } from './section';
import { rowKeyOf, Section } from './section';
import { useSections } from './sections';
import { Scroller } from './windowed';

/** What the sidebar keeps over a reload. */
export interface ISidebarState {
  /** Ids of the closed sections. */
  closed: readonly string[];
  look: IRunLook;
}

/** Where it is kept. */
export interface ISidebarMemory {
  load: () => Promise<ISidebarState>;
  save: (state: ISidebarState) => void;
}

/** The whole panel. When the server part does not answer, that is the one thing it says. */
export function Sidebar(props: ISidebarMemory): React.ReactElement {
  const { queries } = useSurroundings().snapml;
  const session = useSession();
  return (
    <div className="jp-snapml-sidebar">
      <Header session={session} />
      {session.error !== undefined && (
        // Whatever kept this from being answered kept the others, in the status bar and on pages, too.
        <Problem error={session.error} onRetry={() => void queries.refreshAll()} />
      )}
      {session.data === undefined && session.error === undefined && <Skeleton n={6} />}
      {session.data !== undefined && <Sections {...props} />}
    </div>
  );
}

function Sections(props: ISidebarMemory): React.ReactElement {
  const { commands } = useSurroundings();
  const [filter, setFilter] = useState('');
  const [{ closed, look }, setState] = useState<ISidebarState>({ closed: [], look: PLAIN_LOOK });
  const [activeKey, setActiveKey] = useState<string | null>(null);
  const [scroller, setScroller] = useState<HTMLElement | null>(null);
  const { sections, misread } = useSections(filter, look);
  const isFiltered = filter.trim() !== '';
  const isOpen = (section: ISection) =>
    isFiltered ? section.rows.length > 0 : !closed.includes(section.id);

  const { load } = props;
  useEffect(() => {
    void load().then(setState);
  }, [load]);

  const keys = sections.filter(isOpen).flatMap(s => s.rows.map(row => rowKeyOf(s, row)));
  // One row can always be reached with the Tab key.
  const reachable = activeKey !== null && keys.includes(activeKey) ? activeKey : (keys[0] ?? null);
  const moveTo = useFocusOn(scroller, setActiveKey);

  // A row that was reached by keyboard before it was fetched: its focus goes on to the run that came to its place.
  const arrived = placeOf(activeKey, sections);
  useEffect(() => {
    if (arrived === undefined) {
      return;
    }
    const focused = document.activeElement;
    if (focused === document.body || scroller?.contains(focused)) {
      moveTo(arrived);
    } else {
      setActiveKey(arrived);
    }
  }, [arrived, moveTo, scroller]);

  const remember = (state: ISidebarState) => {
    setState(state);
    props.save(state);
  };
  const toggle = (id: string) =>
    remember({
      closed: closed.includes(id) ? closed.filter(other => other !== id) : [...closed, id],
      look
    });
  const open = useCallback(
    (row: IRow) => {
      if (row.isWaiting) {
        return;
      }
      const kind = row.kind === 'alert' ? 'monitor' : row.kind;
      void commands.execute(CommandIDs.open, { kind, ref: row.ref });
    },
    [commands]
  );
  const onKeyDown = (event: React.KeyboardEvent) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-key]');
    const here = row === null ? -1 : keys.indexOf(row.dataset.key ?? '');
    const next = here < 0 ? undefined : keyAfter(event.key, here, keys);
    if (next !== undefined) {
      event.preventDefault();
      moveTo(next);
    }
  };

  return (
    <>
      <FilterBox value={filter} misread={misread} onChange={setFilter} />
      <div className="jp-snapml-scroller" ref={setScroller} onKeyDown={onKeyDown}>
        <Scroller.Provider value={scroller}>
          <div>
            {sections.map(section => (
              <Section
                key={section.id}
                section={section}
                isFiltered={isFiltered}
                isOpen={isOpen(section)}
                activeKey={reachable}
                onToggle={toggle}
                onOpen={open}
                onActivate={setActiveKey}
                tools={
                  section.id === 'runs' && (
                    <RunTools look={look} onChange={next => remember({ closed, look: next })} />
                  )
                }
              />
            ))}
          </div>
        </Scroller.Provider>
      </div>
    </>
  );
}

/** The key of the run that came to the place which this key of a row not yet fetched names. */
function placeOf(key: string | null, sections: readonly ISection[]): string | undefined {
  const found = /^(\w+) #(\d+)$/.exec(key ?? '');
  const section = found === null ? undefined : sections.find(each => each.id === found[1]);
  const row = section?.rows[Number(found?.[2])];
  return section !== undefined && row !== undefined && !row.isWaiting
    ? rowKeyOf(section, row)
    : undefined;
}

/** Where an arrow leads from row `here`. */
function keyAfter(pressed: string, here: number, keys: readonly string[]): string | undefined {
  switch (pressed) {
    case 'ArrowDown':
      return keys[Math.min(here + 1, keys.length - 1)];
    case 'ArrowUp':
      return keys[Math.max(here - 1, 0)];
    case 'Home':
      return keys[0];
    case 'End':
      return keys[keys.length - 1];
    default:
      return undefined;
  }
}

/** Makes a row active and, once it is in the document, focuses it. */
function useFocusOn(
  scroller: HTMLElement | null,
  activate: (key: string) => void
): (key: string) => void {
  const wanted = useRef<string | null>(null);
  useEffect(() => {
    if (wanted.current === null || scroller === null) {
      return;
    }
    const row = [...scroller.querySelectorAll<HTMLElement>('[data-key]')].find(
      node => node.dataset.key === wanted.current
    );
    if (row) {
      wanted.current = null;
      row.focus();
    }
  });
  return useMemo(
    () => (key: string) => {
      wanted.current = key;
      activate(key);
    },
    [activate]
  );
}
