// Runs in a cell's output: `element` is where it stands, and %s becomes the text to copy.
element.setAttribute("role", "status");
const said = (text) => { element.textContent = text; };
const copied = navigator.clipboard
  ? navigator.clipboard.writeText(%s)
  : Promise.reject(new Error("it does so only on this machine or over HTTPS"));
copied.then(() => said("Copied."), (error) => said("The browser did not copy it: " + error.message));
