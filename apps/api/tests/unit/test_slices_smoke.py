from api_market import NYC
async def test_x(client):
    r = await client.get(f"/v2/series/{NYC}/observations", params={"start":"2025-11-02","end":"2025-11-03","tz":"market"})
    print(r.status_code, r.text[:600], r.headers)
    r = await client.get(f"/openapi.json"); print(r.status_code, len(r.text))
    assert 0
