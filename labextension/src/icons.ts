import { LabIcon } from '@jupyterlab/ui-components';

// A viewfinder around a rising curve: a snapshot of what a model does.
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path d="M3 3h6v2H5v4H3zM15 3h6v6h-2V5h-4zM3 15h2v4h4v2H3zM19 15h2v6h-6v-2h4z"/>
    <path d="M6.6 16.9l-1.2-1.5 4.2-3.9 3.1 2.3 4.2-5.2-1.9.2-.2-1.8 5-.6.6 5-1.8.2-.2-1.8-5.3 6.5-3.3-2.4z" transform="translate(-.6 .4)"/>
  </g>
</svg>`;

export const snapmlIcon = new LabIcon({ name: 'snapml-jupyter:snapml', svgstr: SVG });
