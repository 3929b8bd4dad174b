import { render } from 'preact';
import { takeFragment } from './api';
import { App } from './app';
import { applyTheme, rememberedTheme } from './theme';
import './style/base.css';
import './style/layout.css';
import './style/parts.css';
import './style/views.css';

takeFragment();
applyTheme(rememberedTheme());
const place = document.getElementById('app');
if (place !== null) {
  render(<App />, place);
}
