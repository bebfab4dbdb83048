/* The smallest extension module that can be called. Compiled with DECLARED it says that it needs no
   GIL; without, it says nothing, as every extension written before 3.13. */

#include <Python.h>

#ifdef DECLARED
#define NAME "declared"
#define INIT PyInit_declared
#else
#define NAME "undeclared"
#define INIT PyInit_undeclared
#endif

static PyObject *
answer(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(42);
}

static PyMethodDef methods[] = {
    {"answer", answer, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef DECLARED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = NAME,
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
INIT(void)
{
    return PyModuleDef_Init(&definition);
}
