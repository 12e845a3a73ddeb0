/** Elements in one expression. Text is always text: nothing a locustfile names can become markup. */

export type Child = Node | string | null | undefined | false;
type Attribute = string | number | boolean | ((event: Event) => void);

/** An element; functions among the attributes listen to the event they are named after, and `false` leaves one out. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
  fill(element, children);
  return element;
}

export function fill(element: Element, children: Child[]): void {
  element.replaceChildren(
    ...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false),
  );
}
