// A classic script in the head: the colours have to be chosen before anything is painted.
(() => {
  let kept = null;
  try {
    kept = localStorage.getItem("trunkline-theme");
  } catch {
    // Storage that is switched off only means that the choice is not remembered.
  }
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
