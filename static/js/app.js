// htmx and the scripts of all pages, served as one file: build.rs replaces each import line with the imported file.
import "../vendor/htmx/htmx.min.js";
import "./htmx-config.js";
import "./stepper.js";
import "./numbers.js";
import "./dialog.js";
import "./polling.js";
import "./countdown.js";
import "./connection.js";
import "./submit.js";
import "./toasts.js";
import "./forget.js";
import "./retry.js";
