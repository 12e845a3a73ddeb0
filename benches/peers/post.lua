-- wrk's part of the POST of JSON: the body that locustfiles/calls.py sends.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local items = {}
for n = 0, 4 do
  items[#items + 1] = string.format('{"sku": "A-%d", "quantity": %d, "price": 9.99}', n, n)
end
wrk.body = '{"customer": 4711, "items": [' .. table.concat(items, ", ") .. '], "note": "soon"}'
