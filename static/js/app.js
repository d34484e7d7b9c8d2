// htmx and every page's own scripts, served as one file: build.rs puts each one in place of its line.
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
