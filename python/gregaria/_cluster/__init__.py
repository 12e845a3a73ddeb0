"""Many processes: what masters and workers do that locustfiles do not see. Imported where there is one."""
