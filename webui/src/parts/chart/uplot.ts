/** uPlot, imported here alone: after what makes it draw sharply. */

import "./sharp";
import uPlot from "uplot";

export default uPlot;
