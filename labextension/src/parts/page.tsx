import React, { useEffect, useId, useRef, useState } from 'react';
import type { IStatus } from './status';
import { Status } from './status';
import { CopyButton } from './copy';
import { useRetitle, useSurroundings } from './surroundings';

export interface ITab {
  id: string;
  label: string;
  render: () => React.ReactNode;
}

/** What every page has at its top, and its tabs. */
export function Page(props: {
  title: string;
  reference: string;
  status?: IStatus;
  actions?: React.ReactNode;
  /** Who, when, from what; each a link where there is something to open. */
  facts: readonly (readonly [string, React.ReactNode])[];
  tabs: readonly ITab[];
}): React.ReactElement {
  const { trans } = useSurroundings();
  const [chosen, setChosen] = useState(props.tabs[0].id);
  const shown = props.tabs.find(tab => tab.id === chosen) ?? props.tabs[0];
  const base = useId();
  const retitle = useRetitle();
  useEffect(() => retitle(props.title), [retitle, props.title]);
  return (
    <article className="jp-snapml-page" aria-label={props.title}>
      <header className="jp-snapml-page-header">
        <h1>{props.title}</h1>
        <CopyButton text={props.reference} label={trans.__('Copy reference %1', props.reference)}>
          <code>{props.reference}</code>
        </CopyButton>
        {props.status && <Status {...props.status} showWord />}
        <div className="jp-snapml-page-actions">{props.actions}</div>
      </header>
      <dl className="jp-snapml-facts" aria-label={trans.__('Facts')}>
        {props.facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Tabs tabs={props.tabs} shown={shown.id} onChoose={setChosen} base={base} />
      <div
        className="jp-snapml-tab-panel"
        role="tabpanel"
        id={`${base}-panel`}
        aria-labelledby={`${base}-${shown.id}`}
      >
        {shown.render()}
      </div>
    </article>
  );
}

function Tabs(props: {
  tabs: readonly ITab[];
  shown: string;
  base: string;
  onChoose: (id: string) => void;
}): React.ReactElement {
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) {
      return;
    }
    const here = props.tabs.findIndex(tab => tab.id === props.shown);
    const next = (here + step + props.tabs.length) % props.tabs.length;
    props.onChoose(props.tabs[next].id);
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next].focus();
  };
  return (
    <div className="jp-snapml-tabs" role="tablist" ref={list} onKeyDown={onKeyDown}>
      {props.tabs.map(tab => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          id={`${props.base}-${tab.id}`}
          aria-controls={`${props.base}-panel`}
          aria-selected={tab.id === props.shown}
          tabIndex={tab.id === props.shown ? 0 : -1}
          onClick={() => props.onChoose(tab.id)}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}

/** A titled part of a tab. */
export function Part(props: {
  title: string;
  note?: React.ReactNode;
  children: React.ReactNode;
}): React.ReactElement {
  return (
    <section className="jp-snapml-part" aria-label={props.title}>
      <h2>
        {props.title}
        {props.note && <small>{props.note}</small>}
      </h2>
      {props.children}
    </section>
  );
}

/** Numbers worth a large figure, each with its name and what stands beside it. */
export function BigNumbers(props: {
  label: string;
  numbers: readonly { name: string; value: string; beside?: React.ReactNode }[];
}): React.ReactElement {
  return (
    <dl className="jp-snapml-numbers" aria-label={props.label}>
      {props.numbers.map(({ name, value, beside }) => (
        <div key={name}>
          <dt title={name}>{name}</dt>
          <dd>{value}</dd>
          {beside !== undefined && <dd className="jp-snapml-beside">{beside}</dd>}
        </div>
      ))}
    </dl>
  );
}
