/** The charts tab. */

export function Charts() {
  return <p class="none">There is nothing to draw yet.</p>;
}
