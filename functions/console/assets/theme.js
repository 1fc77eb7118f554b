// A classic script in the head: it sets the theme before the first paint.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("trunkline-theme");
  } catch {
    // Without storage the automatic theme applies.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
