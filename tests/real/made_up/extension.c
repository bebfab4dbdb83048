/* An extension module that does BODY when it is imported.

   UNUSED: it says that it needs no GIL. SINGLE: it is initialized in a single phase. */

#include <Python.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

static atomic_int inside;

/* Ends the process when two threads are in here at once. */
static PyObject *
count(PyObject *self, PyObject *nothing)
{
    if (atomic_fetch_add(&inside, 1) != 0) {
        abort();
    }
    usleep(200);
    atomic_fetch_sub(&inside, 1);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"count", count, METH_NOARGS, NULL}, {NULL}};

#if SINGLE

#define ERROR NULL

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = TEXT(NAME), .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC
JOIN(PyInit_, NAME)(void)
{
    PyObject *module = PyModule_Create(&definition);
    BODY
#if UNUSED
    PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#endif
    return module;
}

#else

#define ERROR -1

static int
execute(PyObject *module)
{
    BODY
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#if UNUSED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = TEXT(NAME), .m_slots = slots, .m_methods = methods};

PyMODINIT_FUNC
JOIN(PyInit_, NAME)(void)
{
    return PyModuleDef_Init(&definition);
}

#endif
