from helpers.pipeline import run
from helpers.plan import explain, plan

def test_first(mini):
    import time
    t=time.time()
    out = run(mini.request())
    print(time.time()-t)
    for e in out.errors: print(e)
    assert not out.errors
    print(out)
    print(sorted(mini.products()))
    print((mini.folder/'notebooks/01_first.ipynb').read_text())
    t=time.time()
    out = run(mini.request())
    print(time.time()-t, out)
    mini.edit("src/helpers/shared.py", '"a"', '"b"')
    print(explain(plan(mini.request())))
