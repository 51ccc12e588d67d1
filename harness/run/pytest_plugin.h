/* What `run --pytest` puts into the command's environment, so that pytest finds its plugin. */
#ifndef PORTWITNESS_RUN_PYTEST_PLUGIN_H
#define PORTWITNESS_RUN_PYTEST_PLUGIN_H

/* Where the plugin is: beside this program, or where it was installed. An absolute path to be
 * freed; NULL, with one line on stderr, where there is none. */
char *pytest_plugin_find(void);

/* The value for PYTHONPATH: `present` (NULL: unset) with the folder behind it. To be freed; NULL
 * without memory. The plugin takes it out again. */
char *pytest_plugin_path(const char *present, const char *folder);

#endif
