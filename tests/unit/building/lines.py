"""Lines of real builds: CPython 3.14.7 and 3.13.15 on Linux, some of their flags left out."""

from __future__ import annotations

LIST = (
    "gcc -c -fno-strict-overflow -DNDEBUG -g -O3 -Wall -I/src/Include/internal -I. "
    "-DPy_BUILD_CORE -o Objects/listobject.o /src/Objects/listobject.c"
)
"""The compile command that a manifest quotes where there is one."""

COMPILES = (
    LIST,
    "gcc -c -O3 -DPy_BUILD_CORE -o Programs/python.o /src/Programs/python.c",
    "gcc -fno-strict-overflow -O3 -fPIC -I. -c /src/Modules/_json.c -o Modules/_json.o",
    "/usr/bin/gcc -pthread -c -g -DABIFLAGS='\"t\"' -o Python/sysmodule.o /src/Python/sysmodule.c",
    "clang-19 -c -fprofile-instr-generate -flto=thin -o Python/ceval.o /src/Python/ceval.c",
    "ccache gcc -c -O3 -o Objects/longobject.o /src/Objects/longobject.c",
)

LINK = (
    "gcc     -Xlinker -export-dynamic -o python Programs/python.o Modules/getbuildinfo.o "
    "Parser/token.o -ldl        -lm                      -lm"
)

OTHER = (
    LINK,
    "gcc     -o Programs/_freeze_module Programs/_freeze_module.o Modules/getpath_noop.o -lm",
    "gcc     -o _bootstrap_python Modules/getbuildinfo.o Parser/token.o Parser/pegen.o",
    "gcc -shared      Modules/_json.o  -o Modules/_json.cpython-314t-x86_64-linux-gnu.so",
    "ar rcs libpython3.14t.a Modules/getbuildinfo.o Parser/token.o",
    "/src/Modules/_json.c:12:3: warning: unused variable 'c' [-Wunused-variable]",
    "make[1]: Entering directory '/work/build'",
    "Programs/_freeze_module getpath /src/Modules/getpath.py Python/frozen_modules/getpath.h",
    "",
)
