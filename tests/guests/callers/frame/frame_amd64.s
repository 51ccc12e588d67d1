#include "textflag.h"

// func Pointer() uintptr
TEXT ·Pointer(SB), NOSPLIT, $0-8
	MOVQ BP, ret+0(FP)
	RET
