import React, {
  createContext,
  useContext,
  useEffect,
  useLayoutEffect,
  useRef,
  useState
} from 'react';

/** The element that scrolls; lists inside it draw only what can be seen. */
export const Scroller = createContext<HTMLElement | null>(null);

/** Rows drawn above and below what can be seen, and drawn when nothing can be measured yet. */
const MARGIN_ROWS = 6;
const UNMEASURED_ROWS = 30;

interface IRange {
  first: number;
  last: number;
}

/**
 * A list of rows of one height, of which only those in sight are in the document.
 *
 * The active row always is, so that the keyboard's focus is not lost when it is scrolled away. When rows arrive above
 * what is looked at, the scroll position moves with them.
 */
export function WindowedRows(props: {
  keys: readonly string[];
  rowHeight: number;
  activeKey: string | null;
  label: string;
  render: (index: number) => React.ReactNode;
  onRange?: (first: number, last: number) => void;
  /** When it changes, the rows are looked at from the first one again. */
  question?: string;
}): React.ReactElement {
  const { keys, rowHeight, activeKey, onRange, question } = props;
  const scroller = useContext(Scroller);
  const list = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState<IRange>({ first: 0, last: UNMEASURED_ROWS });
  const anchor = useRef<{ key: string; index: number } | null>(null);

  useEffect(() => {
    if (scroller === null) {
      return;
    }
    const measure = () => {
      const view = scroller.getBoundingClientRect();
      if (list.current === null || view.height === 0) {
        return;
      }
      const above = view.top - list.current.getBoundingClientRect().top;
      const first = Math.max(0, Math.floor(above / rowHeight));
      anchor.current = above > 0 && first < keys.length ? { key: keys[first], index: first } : null;
      const next = {
        first: Math.max(0, first - MARGIN_ROWS),
        last: Math.max(0, Math.ceil((above + view.height) / rowHeight) + MARGIN_ROWS)
      };
      setRange(old => (old.first === next.first && old.last === next.last ? old : next));
    };
    let frame = 0;
    const soon = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(measure);
    };
    measure();
    scroller.addEventListener('scroll', soon, { passive: true });
    const observer = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(soon);
    observer?.observe(scroller);
    if (scroller.firstElementChild !== null) {
      // Sections above grow and shrink: this list moves without a scroll.
      observer?.observe(scroller.firstElementChild);
    }
    return () => {
      cancelAnimationFrame(frame);
      scroller.removeEventListener('scroll', soon);
      observer?.disconnect();
    };
  }, [scroller, keys, rowHeight]);

  const answered = useRef(question);
  useLayoutEffect(() => {
    if (scroller === null || answered.current === question) {
      return;
    }
    answered.current = question;
    anchor.current = null;
    const above =
      scroller.getBoundingClientRect().top - (list.current?.getBoundingClientRect().top ?? 0);
    if (above > 0) {
      scroller.scrollTop -= above;
    }
  }, [scroller, question]);

  useLayoutEffect(() => {
    if (scroller === null || anchor.current === null) {
      return;
    }
    const moved = keys.indexOf(anchor.current.key) - anchor.current.index;
    if (moved > 0) {
      scroller.scrollTop += moved * rowHeight;
      anchor.current = { ...anchor.current, index: anchor.current.index + moved };
    }
  }, [scroller, keys, rowHeight]);

  useEffect(() => {
    onRange?.(range.first, range.last);
  }, [range, onRange]);

  const shown: number[] = [];
  for (let i = range.first; i < Math.min(range.last, keys.length); i++) {
    shown.push(i);
  }
  const active = activeKey === null ? -1 : keys.indexOf(activeKey);
  if (active >= 0 && !shown.includes(active)) {
    shown.push(active);
    // In the list's order, or the row is moved in the document when it comes into sight, and loses the focus.
    shown.sort((a, b) => a - b);
  }
  return (
    <div
      ref={list}
      className="jp-snapml-rows"
      role="listbox"
      aria-label={props.label}
      style={{ height: keys.length * rowHeight }}
    >
      {shown.map(index => (
        <React.Fragment key={keys[index]}>{props.render(index)}</React.Fragment>
      ))}
    </div>
  );
}
