/* What a frame of Java is called, and whose it is, by the names in its class. */
#ifndef PORTWITNESS_FRAMES_JAVA_NAMES_H
#define PORTWITNESS_FRAMES_JAVA_NAMES_H

#include <stddef.h>

#include "shim/shared/trace_format.h"

/* Whose class it is. Signatures are as the class file has them: Lcom/example/Server; */
enum pw_frame_of java_owner(const char *signature);

/* com.example.Server.start. Of the classes that a VM makes for lambdas the number is left off. */
void java_function(char *text, size_t size, const char *signature, const char *method);

/* com/example/Server.java: the package's path and the name of the source file as the class has it;
 * empty where it has none. */
void java_file(char *text, size_t size, const char *signature, const char *source);

#endif
