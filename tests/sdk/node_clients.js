// tenpay and wechatpay-axios-plugin, unchanged, against a running demo:
// NODE_EXTRA_CA_CERTS=…/ca.pem node node_clients.js DEMO_JSON
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const Tenpay = require('tenpay');
const { Wechatpay } = require('wechatpay-axios-plugin');

const RUN = String(Date.now());
const TEXTS = {
  send_name: '天虹咖啡',
  wishing: '恭喜发财',
  act_name: '新年活动',
  remark: 'node',
};

async function tenpay(demo, merchant, users) {
  const api = new Tenpay({
    appid: merchant.appid,
    mchid: merchant.mch_id,
    partnerKey: merchant.v2_key,
    pfx: fs.readFileSync(merchant.p12),
    spbill_create_ip: '127.0.0.1',
  });
  for (const call of ['sendredpack', 'sendgroupredpack', 'gethbinfo']) {
    api.urls[call] = `${demo.v2_base}/mmpaymkttransfers/${call}`;
  }
  const number = `${merchant.mch_id}${RUN}`;
  const sent = await api.sendRedpack({
    mch_billno: `${number}t`, re_openid: users[7].openid, total_amount: 100, ...TEXTS,
  });
  assert.equal(sent.result_code, 'SUCCESS');
  const group = await api.sendGroupRedpack({
    mch_billno: `${number}u`, re_openid: users[8].openid, total_amount: 600, total_num: 3, ...TEXTS,
  });
  assert.equal(group.result_code, 'SUCCESS');
  const report = await api.redpackQuery({ mch_billno: `${number}t` });
  assert.equal(report.status, 'SENT');
  await assert.rejects(api.redpackQuery({ mch_billno: `${number}x` }), /NOT_FOUND/);
  console.log('tenpay: 4 calls went as they should');
}

async function axiosPlugin(demo, merchant, users) {
  const pay = new Wechatpay({
    mchid: merchant.mch_id,
    // For its V3 side, which is not used here; it insists on keys that parse.
    serial: 'merchant',
    privateKey: fs.readFileSync(merchant.key_pem),
    certs: { platform: fs.readFileSync(merchant.cert_pem) },
    secret: merchant.v2_key,
    merchant: {
      cert: fs.readFileSync(merchant.cert_pem),
      key: fs.readFileSync(merchant.key_pem),
    },
    baseURL: `${demo.v2_base}/`,
  });
  const number = `${merchant.mch_id}${RUN}`;
  const base = { mch_id: merchant.mch_id, wxappid: merchant.appid, ...TEXTS };
  const { data: sent } = await pay.v2.mmpaymkttransfers.sendredpack.post({
    ...base, mch_billno: `${number}v`, re_openid: users[9].openid,
    total_amount: 100, total_num: 1, client_ip: '127.0.0.1',
  }, { security: true });
  assert.equal(sent.result_code, 'SUCCESS');
  const { data: group } = await pay.v2.mmpaymkttransfers.sendgroupredpack.post({
    ...base, mch_billno: `${number}w`, re_openid: users[10].openid,
    total_amount: 600, total_num: 3, amt_type: 'ALL_RAND',
  }, { security: true });
  assert.equal(group.result_code, 'SUCCESS');
  const { data: report } = await pay.v2.mmpaymkttransfers.gethbinfo.post({
    mch_id: merchant.mch_id, appid: merchant.appid, mch_billno: `${number}v`, bill_type: 'MCHT',
  }, { security: true });
  assert.equal(report.status, 'SENT');
  console.log('wechatpay-axios-plugin: 3 calls went as they should');
}

async function main(path) {
  const demo = JSON.parse(fs.readFileSync(path, 'utf8'));
  const merchant = demo.merchants[0];
  const users = demo.users.filter((user) => user.appid === merchant.appid);
  await tenpay(demo, merchant, users);
  await axiosPlugin(demo, merchant, users);
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
