/** What is shown in place of a page that could not be drawn: our mistake, and what it was. */

import { Component, type ComponentChildren } from "preact";

export class Boundary extends Component<{ children: ComponentChildren }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return (
      <main class="start">
        <section class="card">
          <h1>This page has made a mistake</h1>
          <p>The test goes on: only the page could not be drawn. Please report this, with the lines below.</p>
          <pre>{said}</pre>
          <button type="button" class="primary" onClick={() => location.reload()}>
            Load it again
          </button>
        </section>
      </main>
    );
  }
}
