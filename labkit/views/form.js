// Questions with native radio buttons, buttons, and one polite live region for what is said to them.
// Python gives `content`, `groups`, `buttons` and `said`; it is sent {action, chosen} for a button that was pressed.

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

const fieldset = (model, group, index, name) => {
  const options = group.options.map(([letter, text]) => {
    const radio = element("input", { type: "radio", name, value: letter });
    radio.checked = model.get("chosen")[index] === letter;
    radio.addEventListener("change", () => {
      const chosen = [...model.get("chosen")];
      chosen[index] = letter;
      model.set("chosen", chosen);
      model.save_changes();
    });
    return element("label", {}, radio, element("span", { innerHTML: `${letter}. ${text}` }));
  });
  const shown = group.shown ? [element("pre", { textContent: group.shown })] : [];
  return element("fieldset", {}, element("legend", { innerHTML: group.legend }), ...shown, ...options);
};

const button = (model, [action, label], position) => {
  const made = element("button", { type: position === 0 ? "submit" : "button", textContent: label });
  made.className = "jupyter-button";
  const press = (event) => {
    event.preventDefault();
    model.send({ action, chosen: model.get("chosen") });
  };
  return { made, press };
};

function render({ model, el }) {
  const name = `labkit-${Math.random().toString(36).slice(2)}`;
  const buttons = model.get("buttons").map((each, position) => button(model, each, position));
  const said = element("div", { className: "labkit-said", innerHTML: model.get("said") });
  said.setAttribute("role", "status");
  said.setAttribute("aria-live", "polite");
  const form = element(
    "form",
    { className: "labkit-form" },
    element("div", { innerHTML: model.get("content") }),
    ...model.get("groups").map((group, index) => fieldset(model, group, index, `${name}-${index}`)),
    element("div", { className: "labkit-buttons" }, ...buttons.map(({ made }) => made)),
    said,
  );
  // Enter in a radio button submits, as in any form. JupyterLab's shortcuts are not meant for what is typed in here.
  form.addEventListener("submit", buttons[0]?.press ?? ((event) => event.preventDefault()));
  buttons.slice(1).forEach(({ made, press }) => made.addEventListener("click", press));
  form.addEventListener("keydown", (event) => event.stopPropagation());
  const show = () => { said.innerHTML = model.get("said"); };
  model.on("change:said", show);
  el.append(form);
  return () => model.off("change:said", show);
}

export default { render };
