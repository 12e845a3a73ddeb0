/** The page that asks who one is. It posts natively, to wherever the locustfile says. */

import "../styles/base.css";
import "../styles/parts.css";
import "../styles/page.css";
import { render } from "preact";
import { startTheme } from "../parts/theme";
import { readAuthArgs } from "./data/auth-args";
import { Login } from "./forms/login-form";

startTheme(undefined);
const auth = readAuthArgs(document);
document.title = auth.title ?? "Locust";
const root = document.getElementById("root");
if (root) render(<Login auth={auth} />, root);
