use peerproof_model::bittorrent::mutant::Mutant;
use peerproof_model::bittorrent::system::{Scope, completion, swarm};
use peerproof_model::explore::Explorer;
#[test]
fn probe() {
    for name in ["pair","pair-fast","slots","after-the-seed","liar","churn","churn-any-moment","rarest","endgame-fast","optimistic","free-riders","late-seeder"] {
        let model = swarm(&Scope::named(name).unwrap(), None);
        let r = Explorer::new(&model).converges(&completion(&model));
        match r { Ok(r) => {
            let v = format!("{:?}", r.verdict);
            println!("{name}: {} good {} steps {} {}", r.states, r.good, r.steps, &v[..v.len().min(60)]);
            if let peerproof_model::explore::LivenessVerdict::Violated(c) = &r.verdict {
                println!("{:#?}", c.stem().names(&model));
                if let peerproof_model::explore::Counterexample::Loop{cycle,..} = c { println!("LOOP {:#?}", cycle.iter().map(|a| stateright::Model::format_action(&model, a)).collect::<Vec<_>>()); } else { println!("REST"); }
            }
        }, Err(e) => println!("{name}: {e}") }
    }
    for m in Mutant::ALL {
        let model = swarm(&Scope::named("pair").unwrap(), Some(*m));
        let r = Explorer::new(&model).limits(peerproof_model::explore::Limits{states: Some(5000), ..Default::default()}).converges(&completion(&model)).unwrap();
        let v = format!("{:?}", r.verdict);
        if v != "Holds" { println!("{m:?}: {}", &v[..40]); }
    }
}
