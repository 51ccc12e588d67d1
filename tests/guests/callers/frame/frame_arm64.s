#include "textflag.h"

// func Pointer() uintptr
TEXT ·Pointer(SB), NOSPLIT, $0-8
	MOVD R29, ret+0(FP)
	RET
